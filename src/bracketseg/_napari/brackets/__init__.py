"""The dock Brackets: a folder's scenes to choose from."""
