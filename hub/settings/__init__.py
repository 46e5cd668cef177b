"""The configuration: read once at the start, checked whole, frozen from then on."""

from crm_core.model.events import WebhookEvent
from crm_core.model.user import Language
from hub.settings.errors import Problem, SettingsError
from hub.settings.load import load_settings, parse_settings
from hub.settings.model import (
    CtiSettings,
    EmailSettings,
    GatewaySettings,
    LogFormat,
    MailProtocol,
    PbxSettings,
    RecordingsSettings,
    RobotSettings,
    RoutingSettings,
    Settings,
    TelegramMode,
    TelegramSettings,
    VkMode,
    VkSettings,
    WebhookSettings,
    WebSettings,
)
from hub.settings.secret import DatabaseEngine, DatabaseUrl, Endpoint, Secret, ServerUrl
from hub.settings.storage import ObjectStorage

__all__ = [
    "CtiSettings",
    "DatabaseEngine",
    "DatabaseUrl",
    "EmailSettings",
    "Endpoint",
    "GatewaySettings",
    "Language",
    "LogFormat",
    "MailProtocol",
    "ObjectStorage",
    "PbxSettings",
    "Problem",
    "RecordingsSettings",
    "RobotSettings",
    "RoutingSettings",
    "Secret",
    "ServerUrl",
    "Settings",
    "SettingsError",
    "TelegramMode",
    "TelegramSettings",
    "VkMode",
    "VkSettings",
    "WebSettings",
    "WebhookEvent",
    "WebhookSettings",
    "load_settings",
    "parse_settings",
]
