"""The configuration: one TOML file, checked whole, every problem reported with file, line and key."""

from retention.settings.load import BASE, find_config, load_partly, load_settings, say_where
from retention.settings.notice import NoticeSettings
from retention.settings.notify import NotifySettings
from retention.settings.schema import (
    AnchorSettings,
    PurgeSettings,
    RuleSettings,
    ScheduleSettings,
    Settings,
)
from retention.settings.source import ColumnSettings, SourceSettings, WhenSettings

__all__ = [
    "BASE",
    "AnchorSettings",
    "ColumnSettings",
    "NoticeSettings",
    "NotifySettings",
    "PurgeSettings",
    "RuleSettings",
    "ScheduleSettings",
    "Settings",
    "SourceSettings",
    "WhenSettings",
    "find_config",
    "load_partly",
    "load_settings",
    "say_where",
]
