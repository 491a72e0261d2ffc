"""Job modules for tests, written the way people write them for stock Dramatiq."""
