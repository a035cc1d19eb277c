"""The data plane: framed MessagePack streams between mailboxes."""
