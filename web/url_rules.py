"""Rules of addresses that learn how to build an address when the first one is built.

Werkzeug compiles two functions for each rule as it is added, which was most of what it took to make the site.
"""

from collections.abc import Callable
from functools import cache

from werkzeug.routing import Rule


class PatientRule(Rule):
    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = cache(super()._compile_builder)

        def build(rule: Rule, **values) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build
