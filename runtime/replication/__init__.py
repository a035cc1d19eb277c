"""A journal that survives its machine: a follower on another keeps a copy, and the next life starts from it."""
