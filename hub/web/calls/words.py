"""The words of the page of calls: which calls, how they ended, why somebody was rung or was not."""

from __future__ import annotations

from collections.abc import Mapping

from crm_core.messages import RouteAction, RouteStage, Verdict
from crm_core.model.recording import RecordingState
from hub.web.tongues import N_, NP_, gettext, pgettext

KINDS: Mapping[str, str] = {
    "": NP_("calls", "all"),
    "missed": NP_("calls", "missed"),
    "in": NP_("calls", "incoming"),
    "out": NP_("calls", "outgoing"),
    "answered": NP_("calls", "with a conversation"),
    "now": NP_("calls", "going on now"),
}
HUNG_UP: Mapping[str, str] = {
    "client": N_("the client hung up"),
    "office": N_("we hung up"),
}
PUSHED_CAUSES: Mapping[str, str] = {
    "busy": NP_("cause", "busy"),
    "cancel": NP_("cause", "the caller hung up"),
    "noAnswer": NP_("cause", "nobody picked up"),
    "congestion": NP_("cause", "the call was not connected"),
    "notFound": NP_("cause", "no such number, or not connected"),
    "forwarded": NP_("cause", "forwarded"),
    "normalClearing": "",
    "unheard": NP_("cause", "the telephone system did not tell how it ended"),
}
RECORDING_IS: Mapping[str, str] = {
    RecordingState.EXPECTED: N_("The recording is not found yet."),
    RecordingState.STORED: N_("Recording"),
    RecordingState.REMOTE: N_("Recording"),
    RecordingState.EMPTY: N_("The recording has no sound."),
    RecordingState.MISSING: N_("The file of the recording is missing."),
    RecordingState.EXPIRED: N_("The recording was deleted when its time was up."),
}
ACTIONS: Mapping[str, str] = {
    RouteAction.DIAL: NP_("decision", "rings"),
    RouteAction.REJECT: NP_("decision", "refused"),
    RouteAction.CALLBACK: NP_("decision", "a callback is offered"),
    RouteAction.FALLBACK: NP_("decision", "the PBX's fallback"),
    RouteAction.MENU: NP_("decision", "voice menu"),
}
STAGES: Mapping[str, str] = {
    RouteStage.LIST: NP_("stage", "special list"),
    RouteStage.LINE: NP_("stage", "line"),
    RouteStage.MENU: NP_("stage", "voice menu"),
    RouteStage.MANAGER: NP_("stage", "own manager"),
    RouteStage.DEPUTY: NP_("stage", "deputy"),
    RouteStage.GROUP: NP_("stage", "group"),
    RouteStage.DUTY: NP_("stage", "duty"),
    RouteStage.CALLBACK: NP_("stage", "callback"),
}
VERDICTS: Mapping[str, str] = {
    Verdict.RINGS: NP_("verdict", "rings"),
    Verdict.ABSENT: NP_("verdict", "absent"),
    Verdict.BUSY: NP_("verdict", "busy"),
    Verdict.UNREACHABLE: NP_("verdict", "telephone not connected"),
    Verdict.DO_NOT_DISTURB: NP_("verdict", "do not disturb"),
    Verdict.NO_EXTENSION: NP_("verdict", "no telephone"),
    Verdict.DISABLED: NP_("verdict", "disabled"),
    Verdict.TRIED: NP_("verdict", "rung already"),
    Verdict.NOBODY: NP_("verdict", "nobody"),
    Verdict.LISTED: NP_("verdict", "on the list"),
    Verdict.OFF_HOURS: NP_("verdict", "not in working hours"),
    Verdict.PAUSED: NP_("verdict", "paused"),
    Verdict.WRAP_UP: NP_("verdict", "just finished a call"),
    Verdict.CHOSEN: NP_("verdict", "chosen"),
    Verdict.CLOSED: NP_("verdict", "closed"),
    Verdict.LATER: NP_("verdict", "later in turn"),
}


def call_kinds() -> dict[str, str]:
    """The kinds of calls that the page can be kept to, by their key in its address."""
    return {key: pgettext("calls", word) for key, word in KINDS.items()}


def hung_up_word(side: str) -> str:
    """Who hung up; empty where that is not known."""
    return gettext(HUNG_UP[side]) if side in HUNG_UP else ""


def pushed_cause(cause: str) -> str:
    """What a cause in the words of a telephone system's protocol means; empty where it means nothing to people."""
    return pgettext("cause", PUSHED_CAUSES[cause]) if PUSHED_CAUSES.get(cause) else ""


def recording_says(state: RecordingState) -> str:
    """What there is of a recording."""
    return gettext(RECORDING_IS[state])


def action_word(action: str) -> str:
    """What was decided about a call."""
    return pgettext("decision", ACTIONS[action]) if action in ACTIONS else action


def stage_word(stage: str) -> str:
    """Where a decision looked for somebody."""
    return pgettext("stage", STAGES[stage]) if stage in STAGES else stage


def verdict_word(verdict: str) -> str:
    """What it found there."""
    return pgettext("verdict", VERDICTS[verdict]) if verdict in VERDICTS else verdict
