"""What the parts want of each other, as protocols; `hub.bootstrap` is the only place that puts them together."""

from __future__ import annotations

from crm_core.ports.channels import (
    Channel,
    ChannelHealth,
    ChannelState,
    FetchesFiles,
    InboundSink,
    KeepsFiles,
    Measured,
    ProvesItself,
    ReparsesRaw,
    Retires,
    ShowsWriting,
)
from crm_core.ports.clients import Conversations, Nameless, Said, SaidFile, Writing
from crm_core.ports.clock import Clock
from crm_core.ports.context import ChannelContext
from crm_core.ports.http import HttpRequest, HttpResponse, HttpRoute, HttpStream, ReceivesHttp, Streams
from crm_core.ports.policies import Assigner, LadderPolicy, Load, Policies
from crm_core.ports.stores import CursorStore, FileStore, Lease
from crm_core.ports.telephony import (
    REJECTED,
    BookChanges,
    CallRouter,
    ControlsCalls,
    ForeignRows,
    KeepsCallRecords,
    NumberBook,
    PlaceCall,
    PresenceSink,
    RecordedCalls,
    RouteJournal,
)
from crm_core.ports.work import Record, UnitOfWork

__all__ = [
    "REJECTED",
    "Assigner",
    "BookChanges",
    "CallRouter",
    "Channel",
    "ChannelContext",
    "ChannelHealth",
    "ChannelState",
    "Clock",
    "ControlsCalls",
    "Conversations",
    "CursorStore",
    "FetchesFiles",
    "FileStore",
    "ForeignRows",
    "HttpRequest",
    "HttpResponse",
    "HttpRoute",
    "HttpStream",
    "InboundSink",
    "KeepsCallRecords",
    "KeepsFiles",
    "LadderPolicy",
    "Lease",
    "Load",
    "Measured",
    "Nameless",
    "NumberBook",
    "PlaceCall",
    "Policies",
    "PresenceSink",
    "ProvesItself",
    "ReceivesHttp",
    "Record",
    "RecordedCalls",
    "ReparsesRaw",
    "Retires",
    "RouteJournal",
    "Said",
    "SaidFile",
    "ShowsWriting",
    "Streams",
    "UnitOfWork",
    "Writing",
]
