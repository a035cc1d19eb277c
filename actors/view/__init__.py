"""How a status is shown: on a terminal while a run lives, as plain lines, as a tree, as a summary."""
