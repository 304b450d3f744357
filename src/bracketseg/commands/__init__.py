"""The command `bracketseg`: one module a command, and no logic of their own."""
