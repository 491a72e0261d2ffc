"""Reading for pages: one module per page, capped, paged by key, frozen dataclasses out. Nothing here writes.

Answers hold instants, never ages: as long as the ledger stands still, so does the answer, and a page can tell
a browser that nothing changed by comparing answers.
"""
