"""Whom a call rings just now: laid upon the call as long as it rings, so that those see who it is before they pick up.

It opens no lead and no case, stands on no timeline and moves no state. What was rung and for how long is told again,
as a whole, with whatever the call comes to: that counts. Told before the call itself, after it, repeated or out of
order, it comes to the same.
"""

from __future__ import annotations

from crm_core.messages import InboundEvent
from crm_core.model.call import CallSnapshot, CallState
from crm_core.services.desk import Desk
from crm_core.services.intake.call_record import HERALDED, record_of, rung_leg, rung_together
from crm_core.services.intake.outcome import DONE, Outcome
from crm_core.services.recognising.recognition import Recognition


def call_rings(desk: Desk, recognition: Recognition, event: InboundEvent, call: CallSnapshot) -> Outcome:
    """Telephones began to ring, or fell silent. Of a call that rings no more, it changes nothing.

    A call that nobody has told of yet is only heralded: who the client is, and all that follows, waits for its
    beginning, which is a fact.
    """
    place = (event.key.account, call.linkedid)
    known = recognition.calls.get(place)
    if known is None:
        record = record_of(desk, event.key.account, call, None, None)._replace(progress=HERALDED)
    elif known.state is not CallState.RINGING or known.finished_at is not None:
        return DONE
    else:
        told = [rung_leg(desk, event.key.account, leg) for leg in call.legs]
        record = known._replace(rung=rung_together(known.rung, told))
        if record == known:
            return DONE
    desk.work.put(record)
    recognition.calls[place] = record
    return DONE
