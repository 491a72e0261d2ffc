"""What the workers of each system import: the same empty job, said in its words, and nothing of the bench's own."""
