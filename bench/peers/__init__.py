"""The systems that are measured, one module each, behind the interface of ``bench.system``."""
