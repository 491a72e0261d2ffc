"""The loss-and-duplicate faults done to Waybill, Dramatiq and Celery alike: ``python -m tests.faults.peers``."""
