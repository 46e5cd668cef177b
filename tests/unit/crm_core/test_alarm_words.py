"""Every alarm has words for its beginning and its end."""

from crm_core.model.alarm import AlarmKind
from crm_core.services.watching import alarms


def test_every_kind_is_told_and_is_told_over() -> None:
    assert set(alarms._RAISED) == set(alarms._OVER) == set(AlarmKind)
