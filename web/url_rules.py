"""Rules of addresses that learn how to build an address when the first one is built.

Werkzeug compiles two functions for each rule as it is added, which was most of what it took to make the site.
"""

from collections.abc import Callable

from werkzeug.routing import Rule


class PatientRule(Rule):
    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_now, compiled = super()._compile_builder, []

        def build(rule: Rule, **values) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            return compiled[0](rule, **values)

        return build
