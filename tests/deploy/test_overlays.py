"""Every overlay builds, keeps to the schemas, and holds together."""

import os
from pathlib import Path

from checks import faults
from checks.rendering import K8S, OVERLAYS, Rendered, pod_of, render


def test_every_overlay_holds_together(rendered: Rendered) -> None:
    assert faults(rendered) == []


def test_there_are_an_overlay_for_a_machine_and_one_for_production() -> None:
    assert set(OVERLAYS) >= {"local", "production"}


def test_a_changed_setting_is_a_change_of_every_pod(tmp_path: Path) -> None:
    """So `kubectl apply` replaces them, and `kubectl rollout undo` gives them what they had."""
    (tmp_path / "kustomization.yaml").write_text(
        f"""
        resources: ["{os.path.relpath(K8S / "overlays/production", tmp_path)}"]
        configMapGenerator:
          - name: leadbus
            namespace: leadbus
            behavior: merge
            literals: [MAIL_FROM=Somebody else <else@example.com>]
        """
    )
    before, after = render("production"), render(str(tmp_path))
    assert after.settings()["data"]["MAIL_FROM"] == "Somebody else <else@example.com>"
    deployments = [*before.services("Deployment")]
    assert len(deployments) == 6
    for deployment in deployments:
        changed = after.named("Deployment", deployment["metadata"]["name"])
        assert changed is not None
        assert pod_of(changed) != pod_of(deployment)
