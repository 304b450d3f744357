"""What the docks of one viewer share: the folder, its scenes, the one that is shown, who labels."""
