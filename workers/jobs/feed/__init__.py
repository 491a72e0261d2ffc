"""What ``feeds.save_latest`` does, in plain functions that know neither Dramatiq nor the ledger nor a page.

Everything that comes in here was written by strangers: addresses are checked where connections are made, and every
size and every time has a limit.
"""
