"""The words of what is an enumeration in the record: roles, channels, states, kinds.

A table holds the words in English, marked; a function says one of them in the language of the request, and what has no
word as it is. Tests ask that every value of an enumeration has its word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from crm_core.messages import Delivery, EntryKind, RouteAction, RouteStage, Verdict
from crm_core.model.alarm import AlarmKind
from crm_core.model.call import CallState, Direction
from crm_core.model.case import CaseKind
from crm_core.model.definitions import Section
from crm_core.model.file_warning import FileWarning
from crm_core.model.ladder import Told
from crm_core.model.office import ListAction
from crm_core.model.recording import RecordingState
from crm_core.model.records import CallRecord, EntryRecord, JournalState, LeadStatus
from crm_core.model.user import Role
from crm_core.ports import ChannelState
from crm_core.services.letters.scheduling import is_withdrawn
from hub.web.tongues import N_, NP_, _, gettext, pgettext, say_values

_NAMED = re.compile(r"([a-z_]+) «")

ROLES: Mapping[str, str] = {
    Role.ADMIN: NP_("role", "administrator"),
    Role.DIRECTOR: NP_("role", "director"),
    Role.HEAD: NP_("role", "head"),
    Role.CONTROLLER: NP_("role", "controller"),
    Role.MANAGER: NP_("role", "manager"),
    Role.MARKETER: NP_("role", "marketer"),
}
CHANNELS: Mapping[str, str] = {
    "telegram": NP_("channel", "Telegram"),
    "vk": NP_("channel", "VK"),
    "email": NP_("channel", "Mail"),
    "pbx": NP_("channel", "Telephone"),
    "web": NP_("channel", "Website"),
    "cti": NP_("channel", "Other PBX"),
    "gateway": NP_("channel", "Gateway"),
}
IDENTITIES: Mapping[str, str] = {
    "tg": NP_("identity", "Telegram"),
    "vk": NP_("identity", "VK"),
    "web": NP_("identity", "Website"),
    "gw": NP_("identity", "Gateway"),
    "claimed": NP_("identity", "Claims to be"),
}
NAMELESS: Mapping[str, str] = {
    "tg": NP_("client", "Client from Telegram"),
    "vk": NP_("client", "Client from VK"),
    "web": NP_("client", "Visitor of the website"),
    "gw": NP_("client", "Client from a messenger"),
}
LINKS: Mapping[str, str] = {
    ChannelState.CONNECTING: NP_("link", "connecting"),
    ChannelState.CONNECTED: NP_("link", "connected"),
    ChannelState.RECONNECTING: NP_("link", "link lost, reconnecting"),
    ChannelState.BAD_CREDENTIALS: NP_("link", "wrong key or password"),
    ChannelState.STOPPED: NP_("link", "stopped"),
}
ENTRIES: Mapping[str, str] = {
    EntryKind.MESSAGE: NP_("entry", "Chat"),
    EntryKind.CALL: NP_("entry", "Call"),
    EntryKind.EMAIL: NP_("entry", "Mail"),
    EntryKind.FORM: NP_("entry", "Form"),
    EntryKind.NOTE: NP_("entry", "Note"),
    EntryKind.TASK: NP_("entry", "Task"),
    EntryKind.STAGE: NP_("entry", "Stage"),
    EntryKind.SYSTEM: NP_("entry", "Hub"),
}
DELIVERIES: Mapping[str, str] = {
    Delivery.QUEUED: NP_("delivery", "sending"),
    Delivery.SENT: NP_("delivery", "sent"),
    Delivery.DELIVERED: NP_("delivery", "delivered"),
    Delivery.READ: NP_("delivery", "read"),
    Delivery.FAILED: NP_("delivery", "not sent"),
}
LEADS: Mapping[str, str] = {
    LeadStatus.NEW: NP_("lead", "new"),
    LeadStatus.TAKEN: NP_("lead", "taken"),
    LeadStatus.CONVERTED: NP_("lead", "deal"),
    LeadStatus.REJECTED: NP_("lead", "rejected"),
}
JOURNAL: Mapping[str, str] = {
    JournalState.DONE: NP_("journal", "taken in"),
    JournalState.FAILED: NP_("journal", "not understood"),
    JournalState.IGNORED: NP_("journal", "not needed"),
}
FACTS: Mapping[str, str] = {
    "MessageReceived": NP_("fact", "message of a client"),
    "MessageSent": NP_("fact", "message of ours"),
    "DeliveryChanged": NP_("fact", "delivery of a message"),
    "ReactionChanged": NP_("fact", "reaction"),
    "MenuChosen": NP_("fact", "choice in a menu"),
    "Noted": NP_("fact", "note"),
    "ProfileLearned": NP_("fact", "client's profile"),
    "MessageEdited": NP_("fact", "edited message"),
    "MessageDeleted": NP_("fact", "deleted message"),
    "ContactShared": NP_("fact", "shared number"),
    "FormSubmitted": NP_("fact", "form"),
    "CallChanged": NP_("fact", "call"),
    "CallRinging": NP_("fact", "ringing call"),
    "BlockChanged": NP_("fact", "block by a client"),
    "StaffCommand": NP_("fact", "command of a colleague"),
    "StaffAsked": NP_("fact", "question of a colleague"),
    "StaffReply": NP_("fact", "answer of a colleague"),
    "Ignored": NP_("fact", "nothing that is needed"),
    "Unparsable": NP_("fact", "what is not understood"),
}
TOLD: Mapping[str, str] = {
    Told.MANAGER: NP_("told", "manager"),
    Told.DEPUTY: NP_("told", "deputy"),
    Told.CONTROLLER: NP_("told", "controller"),
    Told.HEAD: NP_("told", "head"),
    Told.DIRECTOR: NP_("told", "director"),
    Told.ADMIN: NP_("told", "administrator"),
}
CASES: Mapping[str, str] = {
    CaseKind.CALL: NP_("case", "Call"),
    CaseKind.MESSAGE: NP_("case", "Message"),
}
ALARMS: Mapping[str, str] = {
    AlarmKind.SILENT_LINE: N_("The line is silent"),
    AlarmKind.LINK_DOWN: N_("No link"),
    AlarmKind.CALLS_MISSING: N_("Calls are missing from the record"),
    AlarmKind.RULE: N_("A rule fails"),
    AlarmKind.WEBHOOK: N_("A program takes no events"),
    AlarmKind.RECORDINGS: N_("Recordings are not kept"),
}
CALLS_IN: Mapping[str, str] = {
    CallState.RINGING: NP_("incoming call", "ringing"),
    CallState.ANSWERED: NP_("incoming call", "answered"),
    CallState.MISSED: NP_("incoming call", "missed"),
    CallState.ABANDONED: NP_("incoming call", "gave up"),
    CallState.BUSY: NP_("incoming call", "busy"),
    CallState.REJECTED: NP_("incoming call", "rejected"),
    CallState.NO_ANSWER: NP_("incoming call", "no answer"),
    CallState.FAILED: NP_("incoming call", "failed"),
}
CALLS_OUT: Mapping[str, str] = {
    CallState.RINGING: NP_("outgoing call", "ringing"),
    CallState.ANSWERED: NP_("outgoing call", "answered"),
    CallState.MISSED: NP_("outgoing call", "not reached"),
    CallState.ABANDONED: NP_("outgoing call", "hung up"),
    CallState.BUSY: NP_("outgoing call", "busy"),
    CallState.REJECTED: NP_("outgoing call", "rejected"),
    CallState.NO_ANSWER: NP_("outgoing call", "no answer"),
    CallState.FAILED: NP_("outgoing call", "failed"),
}
CALL_KINDS: Mapping[str, str] = {
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
RECORDINGS: Mapping[str, str] = {
    RecordingState.EXPECTED: N_("The recording is not found yet."),
    RecordingState.STORED: N_("Recording"),
    RecordingState.REMOTE: N_("Recording"),
    RecordingState.EMPTY: N_("The recording has no sound."),
    RecordingState.MISSING: N_("The file of the recording is missing."),
    RecordingState.EXPIRED: N_("The recording was deleted when its time was up."),
}
HEARD = frozenset({RecordingState.STORED, RecordingState.REMOTE})
"""Of which there is something to hear."""
LIST_ACTIONS: Mapping[str, str] = {
    ListAction.REJECT: N_("calls and messages are refused"),
    ListAction.ROUTE: N_("calls go to {to}"),
    ListAction.NO_LEAD: N_("no leads are made"),
}
FILE_WARNINGS: Mapping[str, str] = {
    FileWarning.EXECUTABLE: NP_("file", "a program: dangerous to run"),
    FileWarning.SCRIPT: NP_("file", "contains a script"),
    FileWarning.MACROS: NP_("file", "contains macros"),
    FileWarning.BOMB: NP_("file", "an archive bomb: do not unpack"),
    FileWarning.PIXELS: NP_("file", "a picture of absurd size"),
    FileWarning.HIDES_EXECUTABLE: NP_("file", "a program is inside"),
    FileWarning.MISMATCH: NP_("file", "is not what it claims to be"),
    FileWarning.NESTED: NP_("file", "an archive in an archive"),
    FileWarning.ENCRYPTED: NP_("file", "encrypted, can't be looked into"),
    FileWarning.UNSEEN: NP_("file", "not looked into"),
}
GROUPS: Mapping[str, str] = {
    "manager": NP_("report", "by manager"),
    "line": NP_("report", "by line"),
    "month": NP_("report", "by month"),
}
KINDS: Mapping[str, str] = {
    "contact": NP_("kind", "client"),
    "company": NP_("kind", "company"),
    "lead": NP_("kind", "lead"),
    "deal": NP_("kind", "deal"),
    "task": NP_("kind", "task"),
    "product": NP_("kind", "product"),
    "payment": NP_("kind", "payment"),
    "case": NP_("kind", "case"),
    "call": NP_("kind", "call"),
    "sales": NP_("kind", "sale"),
    "user": NP_("kind", "person"),
    "pipeline": NP_("kind", "pipeline"),
    "stage": NP_("kind", "stage"),
    "deputy": NP_("kind", "deputy"),
    "head": NP_("kind", "head"),
    "points": NP_("kind", "points"),
    "letters": NP_("kind", "letters"),
    "formula": NP_("kind", "formula"),
    Section.RECORD_TYPE: NP_("kind", "type of records"),
    Section.FIELD: NP_("kind", "field"),
    Section.TAG_GROUP: NP_("kind", "group of tags"),
    Section.RULE: NP_("kind", "rule"),
    Section.CHAIN: NP_("kind", "chain of messages"),
    Section.TEMPLATE: NP_("kind", "template"),
    Section.DOCUMENT: NP_("kind", "template of documents"),
    Section.SEGMENT: NP_("kind", "segment"),
    Section.SCORING: NP_("kind", "scoring"),
    Section.WEBHOOK: NP_("kind", "subscription"),
    Section.MAPPING: NP_("kind", "mapping of columns"),
    Section.LADDER: NP_("kind", "ladder"),
    Section.LIST: NP_("kind", "special list"),
    Section.HOURS: NP_("kind", "calendar"),
    Section.GROUP: NP_("kind", "group"),
    Section.LINE: NP_("kind", "line"),
    Section.ACCOUNT: NP_("kind", "account"),
    Section.ROLE: NP_("kind", "role"),
}
"""What refusals are about, by its key."""
STATES: Mapping[str, str] = {
    "open": NP_("state", "open"),
    "draft": NP_("state", "a draft"),
    "ready": NP_("state", "ready"),
    "running": NP_("state", "running"),
    "paused": NP_("state", "paused"),
    "done": NP_("state", "done"),
    "failed": NP_("state", "failed"),
    "ignored": NP_("state", "not needed"),
    "cancelled": NP_("state", "cancelled"),
    "waiting": NP_("state", "waiting"),
    "dialling": NP_("state", "dialling"),
    "reached": NP_("state", "reached"),
    "given_up": NP_("state", "given up"),
    "accepted": NP_("state", "accepted"),
    "dismissed": NP_("state", "dismissed"),
}
"""How things stand that refusals are about, by their keys."""


def role_word(role: Role) -> str:
    """Who somebody is in the office."""
    return pgettext("role", ROLES[role]) if role in ROLES else role


def channel_word(channel: str) -> str:
    """A channel by its key, such as `telegram`."""
    return pgettext("channel", CHANNELS[channel]) if channel in CHANNELS else channel


def identity_word(kind: str) -> str:
    """What an identity is of, by the kind before its colon."""
    return pgettext("identity", IDENTITIES[kind]) if kind in IDENTITIES else kind


def nameless_word(kind: str) -> str:
    """A client of whom only an id is known, by whose id it is."""
    return pgettext("client", NAMELESS[kind]) if kind in NAMELESS else kind


def link_word(state: ChannelState) -> str:
    """How a channel stands."""
    return pgettext("link", LINKS[state]) if state in LINKS else state


def entry_word(kind: EntryKind) -> str:
    """What an entry of a timeline is."""
    return pgettext("entry", ENTRIES[kind]) if kind in ENTRIES else kind


def delivery_word(delivery: Delivery) -> str:
    """What became of something sent."""
    return pgettext("delivery", DELIVERIES[delivery]) if delivery in DELIVERIES else delivery


def gone_word(entry: EntryRecord) -> str:
    """Why an entry is no longer there: it was taken back by us before it went, or deleted by the client."""
    return _("taken back before it went") if is_withdrawn(entry) else _("deleted by the client")


def lead_word(status: LeadStatus) -> str:
    """How far a lead is."""
    return pgettext("lead", LEADS[status]) if status in LEADS else status


def journal_word(state: JournalState) -> str:
    """What became of a row of the journal."""
    return pgettext("journal", JOURNAL[state]) if state in JOURNAL else state


def named_said(text: str) -> str:
    """What is named by its kind, `rule «Call back»`, with the kind in words."""
    found = _NAMED.match(text)
    return text if found is None else f"{kind_word(found[1])} {text[found.end() - 1 :]}"


def fact_word(what: str) -> str:
    """What a fact of the journal tells of, by the name of its form."""
    return pgettext("fact", FACTS[what]) if what in FACTS else what


def told_word(told: Told) -> str:
    """Whom a rung of a ladder tells."""
    return pgettext("told", TOLD[told]) if told in TOLD else told


def case_word(kind: CaseKind | str) -> str:
    """What somebody waits after."""
    return pgettext("case", CASES[kind]) if kind in CASES else kind


def alarm_word(kind: AlarmKind | str) -> str:
    """What is out of order."""
    return gettext(ALARMS[kind]) if kind in ALARMS else kind


def list_action_word(action: ListAction) -> str:
    """What a special list does; `{to}` is where calls go."""
    return gettext(LIST_ACTIONS[action]) if action in LIST_ACTIONS else action


def warning_word(warning: FileWarning) -> str:
    """Why to be careful with a file."""
    return pgettext("file", FILE_WARNINGS[warning]) if warning in FILE_WARNINGS else warning


def group_word(by: str) -> str:
    """What the figures of a report are put together by."""
    return pgettext("report", GROUPS[by]) if by in GROUPS else by


def call_word(call: CallRecord) -> str:
    """How a call stands or ended."""
    if call.direction is Direction.OUT:
        return pgettext("outgoing call", CALLS_OUT[call.state])
    return pgettext("incoming call", CALLS_IN[call.state])


def call_kinds() -> dict[str, str]:
    """The kinds of calls that the page can be kept to, by their key in its address."""
    return {key: pgettext("calls", word) for key, word in CALL_KINDS.items()}


def hung_up_word(side: str) -> str:
    """Who hung up; empty where that is not known."""
    return gettext(HUNG_UP[side]) if side in HUNG_UP else ""


def pushed_cause(cause: str) -> str:
    """What a cause in the words of a telephone system's protocol means; empty where it means nothing to people."""
    return pgettext("cause", PUSHED_CAUSES[cause]) if PUSHED_CAUSES.get(cause) else ""


def action_word(action: str) -> str:
    """What was decided about a call."""
    return pgettext("decision", ACTIONS[action]) if action in ACTIONS else action


def stage_word(stage: str) -> str:
    """Where a decision looked for somebody."""
    return pgettext("stage", STAGES[stage]) if stage in STAGES else stage


def verdict_word(verdict: str) -> str:
    """What it found there."""
    return pgettext("verdict", VERDICTS[verdict]) if verdict in VERDICTS else verdict


def recording_says(state: RecordingState) -> str:
    """What there is of a recording."""
    return gettext(RECORDINGS[state])


def recording_word(state: RecordingState) -> str:
    """Why there is nothing to hear of a recording; empty where there is."""
    return "" if state in HEARD else recording_says(state)


def kind_word(kind: str) -> str:
    """What kind of thing this is, by its key; one of the office's own as it is called."""
    key = kind.replace(" ", "_")
    return pgettext("kind", KINDS[key]) if key in KINDS else kind


def state_word(state: str) -> str:
    """How something stands that a refusal is about."""
    return pgettext("state", STATES[state]) if state in STATES else state


def globals_of_templates() -> dict[str, Callable[..., str]]:
    """The words by the names that templates use."""
    said: tuple[Callable[..., str], ...] = (
        role_word,
        channel_word,
        identity_word,
        link_word,
        entry_word,
        delivery_word,
        gone_word,
        lead_word,
        journal_word,
        fact_word,
        named_said,
        told_word,
        case_word,
        alarm_word,
        list_action_word,
        warning_word,
        group_word,
        call_word,
        recording_word,
    )
    return {each.__name__: each for each in said}


say_values(
    {
        **dict.fromkeys(("kind", "section", "of", "on", "of_type", "what"), kind_word),
        "state": state_word,
        "role": lambda role: pgettext("role", ROLES[role]) if role in ROLES else role,
    }
)
