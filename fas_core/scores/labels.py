"""Label values, and the columns that describe a sample in every table."""

from __future__ import annotations

import pyarrow as pa

LIVE, ATTACK, UNKNOWN = 1, 0, -1

LABEL_COLUMNS: dict[str, pa.DataType] = {
    "split": pa.string(),
    "label": pa.int8(),
    "species": pa.string(),
    "subject": pa.string(),
    "group": pa.string(),
    "session": pa.string(),
    "device": pa.string(),
    "video": pa.string(),
    "frame": pa.int32(),
}
"""`label`: 1 live, 0 attack, null unknown. `species`: of the attack instrument; `live` for live samples."""
