"""What is wrong with a cluster file, where, and what to write instead."""
