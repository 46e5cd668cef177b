"""Whom a call rings just now, and who talks: laid upon the call as long as that is so, so that those see who it is
before they pick up, also where a call is passed on to them.

It opens no lead and no case, stands on no timeline and moves no state. What was rung, who talked and for how long is
told again, as a whole, with whatever the call comes to: that counts. Told before the call itself, after it, repeated or
out of order, it comes to the same.
"""

from __future__ import annotations

from crm_core.messages import InboundEvent
from crm_core.model.call import CallSnapshot, CallState
from crm_core.model.call_now import HERALDED
from crm_core.model.records import CallRecord
from crm_core.services.desk import Desk
from crm_core.services.intake.call_record import (
    record_of,
    rung_leg,
    rung_together,
    talk_told,
    talks_together,
)
from crm_core.services.intake.outcome import DONE, Outcome
from crm_core.services.recognising.recognition import Recognition


def call_rings(desk: Desk, recognition: Recognition, event: InboundEvent, call: CallSnapshot) -> Outcome:
    """Telephones began to ring, or fell silent; of a call that is being passed on, also: somebody else talks. Of a call
    that is further on, it changes nothing.

    A call that nobody has told of yet is only heralded: who the client is, and all that follows, waits for its
    beginning, which is a fact; so does that it was answered.
    """
    place = (event.key.account, call.linkedid)
    known = recognition.calls.get(place)
    record = _told(desk, event.key.account, known, call)
    if record is None or record == known:
        return DONE
    desk.work.put(record)
    recognition.calls[place] = record
    return DONE


def _told(desk: Desk, pbx: str, known: CallRecord | None, call: CallSnapshot) -> CallRecord | None:
    rings = call.state is CallState.RINGING
    if known is None:
        return record_of(desk, pbx, call, None, None)._replace(progress=HERALDED) if rings else None
    if known.state is not call.state or known.finished_at is not None:
        return None
    rung = rung_together(known.rung, [rung_leg(desk, pbx, leg) for leg in call.legs])
    if rings:
        return known._replace(rung=rung)
    talks = talks_together(known.talks, [talk_told(desk, pbx, talk) for talk in call.talks])
    return known._replace(rung=rung, talks=talks)
