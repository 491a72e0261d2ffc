"""How punctual schedulers are, and what that costs: see ``__main__``."""
