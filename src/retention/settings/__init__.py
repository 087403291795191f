"""The configuration: one TOML file, checked whole, every problem reported with file, line and key."""

from retention.settings.load import BASE, find_config, load_settings, say_where
from retention.settings.schema import (
    AnchorSettings,
    ColumnSettings,
    PurgeSettings,
    RuleSettings,
    ScheduleSettings,
    Settings,
    SourceSettings,
    WhenSettings,
)

__all__ = [
    "BASE",
    "AnchorSettings",
    "ColumnSettings",
    "PurgeSettings",
    "RuleSettings",
    "ScheduleSettings",
    "Settings",
    "SourceSettings",
    "WhenSettings",
    "find_config",
    "load_settings",
    "say_where",
]
