"""Writes down what is proposed. Nothing here puts anything in force."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from leadbus.errors import LeadbusError
from scoring.fitting.event_points import EventPoints
from scoring.fitting.judging import Judgement
from scoring.fitting.table_points import Fitted
from scoring.rules import RulesBody


def rules_with(rules: Mapping[str, Any], found: EventPoints) -> dict[str, Any]:
    """Rules as scoring's API answers them, with the proposed points. They bear the version that they were
    read at, so that they can replace no others."""
    points = {str(type_): points for type_, points in found.points.items()}
    body = {name: value for name, value in rules.items() if name in RulesBody.model_fields}
    RulesBody.model_validate(body | {"points": points})
    return body | {"points": points}


def table_document(fitted: Fitted) -> dict[str, Any]:
    """The table of points with its figures."""
    return {
        "learned_from": {"leads": len(fitted.leads), "won": sum(fitted.leads.won)},
        "judged": {name: _figures(judgement) for name, judgement in fitted.judged.items()},
        "points": [
            {"column": line.column, "is": line.band, "points": line.points} for line in fitted.table.lines
        ],
        "left_out": [{"column": column.column, "why": column.why} for column in fitted.left_out],
    }


def write(document: Mapping[str, Any], file: Path) -> None:
    """As YAML where the name ends so, else as JSON.

    Raises:
        LeadbusError: the file cannot be written.
    """
    is_yaml = file.suffix in {".yaml", ".yml"}
    text = (
        yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)
        if is_yaml
        else json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    )
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LeadbusError(f"{file} cannot be written ({type(error).__name__}).") from None


def _figures(judgement: Judgement) -> dict[str, float]:
    return {
        "area_under_the_curve": round(judgement.auc, 4),
        "lift_in_the_top_tenth": round(judgement.lift, 2),
    }
