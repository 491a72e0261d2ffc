"""What the workers of each system import: the same empty job, said in that system's words."""
