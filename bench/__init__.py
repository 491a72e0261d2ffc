"""Measures Waybill beside plain Dramatiq and Celery, on the same machine in the same run."""
