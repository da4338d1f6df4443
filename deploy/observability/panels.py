"""Panels of dashboards: a question as the title, its queries, and the unit of the answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import (
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef

SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
WINDOW = "$__rate_interval"
"""Grafana's own: wide enough for the interval at which Prometheus asks."""
WIDTH, HEIGHT = 8, 7
"""Three in a row of Grafana's 24 columns."""


@dataclass(frozen=True, slots=True)
class Panel:
    """queries: by legend, in which `{{label}}` stands for a label's value. unit: Grafana's. says: how to read
    it. now: only the present value matters.
    """

    title: str
    unit: str
    queries: Mapping[str, str]
    says: str = ""
    now: bool = False

    def built(self, number: int) -> timeseries.Panel | stat.Panel:
        """For the dashboard's builder. number: its own within the dashboard."""
        panel: timeseries.Panel | stat.Panel = stat.Panel() if self.now else _graph()
        panel = panel.title(self.title).description(self.says).unit(self.unit).datasource(SOURCE).id(number)
        panel = panel.span(WIDTH).height(HEIGHT)
        for letter, (legend, query) in zip("ABCDEFGH", self.queries.items(), strict=False):
            target = prometheus.Dataquery().ref_id(letter).expr(query).legend_format(legend)
            panel = panel.with_target(target.instant() if self.now else target.range())
        return panel


def _graph() -> timeseries.Panel:
    legend = common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST)
    tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    return (
        timeseries.Panel().fill_opacity(8).legend(legend.placement(LegendPlacement.BOTTOM)).tooltip(tooltip)
    )
