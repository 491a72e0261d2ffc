"""What the ledger may answer besides rows. Database exceptions become one of these at its edge."""


def N_(sentence: str) -> str:
    """Marks a sentence that pages translate, while the ledger says it in English."""
    return sentence


class LedgerError(Exception):
    """The root of this room's errors."""


class LedgerAway(LedgerError):
    """The database cannot be reached, is locked for too long, or has no room; raised instead of the driver's error.

    Nothing is known to be written. The same call may succeed later.
    """

    def __init__(self, cause: BaseException):
        super().__init__(f"the ledger cannot be used now: {first_line(cause)}")


class RunNotFound(LedgerError):
    """No run has this id: it never existed, or it was pruned."""

    def __init__(self, run_id: str):
        self.run_id = run_id
        super().__init__(f"no run has the id {run_id}")


class WrongState(LedgerError):
    """The run is not in a state in which this can be done, for instance canceling a finished run."""

    def __init__(self, run_id: str, state: str, wanted: str):
        self.run_id, self.state = run_id, state
        super().__init__(f"run {run_id} is {state}: {wanted}")


class JobNotFound(LedgerError):
    """No worker ever announced a job of this name."""

    def __init__(self, name: str):
        self.name = name
        super().__init__(f"no job is called {name!r}")


class FailureNotFound(LedgerError):
    """No run that is still kept failed in the way with this fingerprint."""

    def __init__(self, fingerprint: str):
        self.fingerprint = fingerprint
        super().__init__(f"no kept run failed in the way with the fingerprint {fingerprint}")


class ScheduleNotFound(LedgerError):
    """No schedule has this id, or it was deleted."""

    def __init__(self, schedule_id: str):
        self.schedule_id = schedule_id
        super().__init__(f"no schedule has the id {schedule_id}")


class QueueNotFound(LedgerError):
    """No job, run or worker has a queue of this name."""

    def __init__(self, name: str):
        self.name = name
        super().__init__(f"no queue is called {name!r}")


class ProcessNotFound(LedgerError):
    """No process has this id, or it was forgotten."""

    def __init__(self, process_id: str):
        self.process_id = process_id
        super().__init__(f"no process has the id {process_id}")


class MessageNotFound(LedgerError):
    """No rejected message has this id, or it was forgotten."""

    def __init__(self, message_id: str):
        self.message_id = message_id
        super().__init__(f"no rejected message has the id {message_id}")


class ActionNotFound(LedgerError):
    """No bulk action has this id, or it was forgotten with the runs of its time."""

    def __init__(self, action_id: str):
        self.action_id = action_id
        super().__init__(f"no action has the id {action_id}")


class TooLateToUndo(LedgerError):
    """An action is to be taken back that cannot be, or not any more."""

    def __init__(self, action_id: str):
        self.action_id = action_id
        super().__init__(f"action {action_id} cannot be undone")


class PresetNotFound(LedgerError):
    """No preset has this id, or somebody deleted it."""

    def __init__(self, preset_id: str):
        self.preset_id = preset_id
        super().__init__(f"no preset has the id {preset_id}")


class ViewNotFound(LedgerError):
    """No saved view has this id, or somebody deleted it."""

    def __init__(self, view_id: str):
        self.view_id = view_id
        super().__init__(f"no saved view has the id {view_id}")


class VolumeNotFound(LedgerError):
    """No kept volume has this id, or somebody deleted it."""

    def __init__(self, volume_id: str):
        self.volume_id = volume_id
        super().__init__(f"no volume has the id {volume_id}")


class PhotoNotFound(LedgerError):
    """No kept photo has this id, or it was deleted."""

    def __init__(self, photo_id: str):
        self.photo_id = photo_id
        super().__init__(f"no photo has the id {photo_id}")


def first_line(cause: BaseException) -> str:
    text = str(getattr(cause, "orig", None) or cause).strip()
    return text.splitlines()[0] if text else type(cause).__name__
