"""What is wrong with a field, as a sentence that says what would be right."""


class Refused(Exception):
    """What was typed is no value for this field. The message is for the person who typed it."""


def quoted(text: str) -> str:
    """``text`` as it is quoted in a sentence, cut when it is long."""
    return f"“{text[:60]}…”" if len(text) > 60 else f"“{text}”"
