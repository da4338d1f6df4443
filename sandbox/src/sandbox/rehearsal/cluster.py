"""The cluster that the local overlay wants: Jobs, Deployments and Services, with Kafka, MongoDB and CRMs."""

import asyncio
import random
import secrets
import sys
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Self

from sandbox.api import Api
from sandbox.cast import ORGANISATIONS
from sandbox.place import Place
from sandbox.rehearsal.deployment import Deployment
from sandbox.rehearsal.manifests import Manifest, Manifests, PodTemplate, build, rollout
from sandbox.rehearsal.pod import Pod, container_of
from sandbox.rehearsal.service import Service
from sandbox.rehearsal.translation import Identity
from sandbox.servers import Kafka, MongoDB, ServerError

_DEPLOY = Path(__file__).parents[4] / "deploy"
_OVERLAY = _DEPLOY / "k8s/overlays/local"
_IMAGE = _DEPLOY / "Dockerfile"
_NAME = "app.kubernetes.io/name"
# As the local overlay has them.
_KAFKA, _MONGODB = "kafka:9092", "mongodb://mongodb:27017/?replicaSet=rs0"


class Cluster:
    """`async with` starts everything and ends it; inside, all pods are ready.

    settled: seconds that stand in for every minReadySeconds; None = as written.
    """

    topic_prefix = ""

    def __init__(
        self,
        place: Place,
        *,
        tenants: Collection[str],
        services: Collection[str],
        settled: float | None,
        progress: Callable[[str], None],
    ) -> None:
        ports = place.ports()
        self._folder = place.folder / "pods"
        # The manifests name topics and a database, so that these servers are shared with nobody.
        self._kafka = Kafka(place.folder / "kafka", port=ports["kafka"], environ={}, progress=progress)
        self._mongodb = MongoDB(
            place.folder / "mongodb", port=ports["mongodb"], environ={}, progress=progress
        )
        self.crms = {
            o.tenant: o.crm(place.folder / "crm", ports[f"crm-{o.tenant}"])
            for o in ORGANISATIONS
            if o.tenant in tenants
        }
        self.deployments: dict[str, Deployment] = {}
        self._services: dict[str, Service] = {}
        self._wanted = services
        self._settled = settled
        self._progress = progress
        self._api: Api | None = None
        # Any network of loopback, so that two clusters on a machine do not meet.
        self._network = f"127.{random.randint(16, 250)}.{random.randint(0, 255)}"
        self._numbers = count(1)

    @property
    def running(self) -> Api:
        """The services, by their Services; only inside `async with`."""
        if self._api is None:
            raise ServerError("The cluster is not started.")
        return self._api

    @property
    def bootstrap_servers(self) -> str:
        """Of Kafka."""
        return self._kafka.bootstrap_servers

    @property
    def faults(self) -> list[str]:
        """Probes and terminations that did not go as they must."""
        return [fault for deployment in self.deployments.values() for fault in deployment.faults]

    def check(self) -> None:
        """Raises ServerError if a CRM has ended by itself."""
        for crm in self.crms.values():
            crm.process.check()

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.TaskGroup() as group:
                for server in (self._kafka, self._mongodb):
                    group.create_task(server.start())
                for crm in self.crms.values():
                    group.create_task(crm.start())
                built = group.create_task(asyncio.to_thread(build, _OVERLAY))
            await self._apply(built.result())
        except BaseExceptionGroup as failures:
            await self._end()
            raise failures.exceptions[0] from None
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def _apply(self, manifests: Manifests) -> None:
        jobs = [job for job in manifests.of("Job") if self._is_wanted(job)]
        self._progress(f"{len(jobs)} Jobs prepare collections and indexes")
        await asyncio.gather(*(self._run_job(manifests, job) for job in jobs))
        for written in filter(self._is_wanted, manifests.of("Deployment")):
            template, how = PodTemplate(manifests, written), rollout(written)
            how = how if self._settled is None else replace(how, settled=self._settled)
            self.deployments[template.owner] = Deployment(template, how, self._start)
        for written in filter(self._is_wanted, manifests.of("Service")):
            service = self._serving(written)
            await service.start()
            self._services[written["metadata"]["name"]] = service
        urls = {name: service.url for name, service in self._services.items()}
        self._api = Api(urls, manifests.secret("LEADBUS_OPERATOR_TOKEN"))
        self._progress(f"{len(self.deployments)} Deployments start")
        await asyncio.gather(*(deployment.begin() for deployment in self.deployments.values()))

    def _is_wanted(self, written: Manifest) -> bool:
        labels = written["spec"].get("template", {}).get("metadata", written["metadata"])["labels"]
        return labels[_NAME].removeprefix("prepare-") in self._wanted

    async def _run_job(self, manifests: Manifests, job: Manifest) -> None:
        template = PodTemplate(manifests, job)
        container = container_of(template, self._identity(template), _IMAGE, _programs())
        for _ in range(job["spec"].get("backoffLimit", 6) + 1):
            container.start()
            try:
                async with asyncio.timeout(job["spec"].get("activeDeadlineSeconds")):
                    if await container.ended() == 0:
                        return
            finally:
                container.kill()
        raise ServerError(f"The Job {template.owner} has failed. Its log ends with:\n{container.tail()}")

    def _serving(self, written: Manifest) -> Service:
        (port,) = written["spec"]["ports"]
        selector = written["spec"]["selector"].items()
        chosen = [d for d in self.deployments.values() if selector <= d.template.labels.items()]
        if not chosen:
            raise ServerError(f"The Service {written['metadata']['name']} selects no pods.")
        target = chosen[0].template.port(port.get("targetPort", port["port"]))
        return Service(self._address(), port["port"], target, lambda: [pod for d in chosen for pod in d.pods])

    def _start(self, template: PodTemplate) -> Pod:
        identity = self._identity(template)
        return Pod(template, identity, container_of(template, identity, _IMAGE, _programs()))

    def _identity(self, template: PodTemplate) -> Identity:
        name = f"{template.owner}-{secrets.token_hex(4)}"
        addresses = {_KAFKA: self._kafka.bootstrap_servers, _MONGODB: self._mongodb.url}
        return Identity(name, self._address(), self._folder / name, addresses)

    def _address(self) -> str:
        return f"{self._network}.{next(self._numbers)}"

    async def _end(self) -> None:
        """Pods without ado: how they stop was seen when they were rolled."""
        if self._api:
            await self._api.close()
        await asyncio.gather(*(service.stop() for service in self._services.values()))
        await asyncio.gather(*(deployment.destroy() for deployment in self.deployments.values()))
        await asyncio.gather(*(crm.stop() for crm in self.crms.values()))
        await asyncio.gather(self._kafka.stop(), self._mongodb.stop())


def _programs() -> Path:
    return Path(sys.executable).parent
