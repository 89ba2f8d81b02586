"""A container of an Azure storage account (or of Azurite) as a source.

Belongs here: how Azure is asked for properties and bytes, and with which credential. Does not belong here: resuming, verifying
and giving up (``remote``).
"""

import weakref
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import parse_qs

from azure.core import MatchConditions
from azure.core.credentials import AzureSasCredential, TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline import PipelineResponse
from azure.storage.blob import BlobProperties, ContainerClient

from film_assets.errors import SourceError, TransientError
from film_assets.sources.base import DeniedError, Entry, Files, Listed
from film_assets.sources.location import AzureAccess, ContainerPlace
from film_assets.sources.remote import ChangedError, RemoteSource, part_sent, refusal, unreachable, wrong_range

T = TypeVar("T")

_CONNECTIONS = 4
_CHUNK_BYTES = 16 << 20
"""One request asks for so much: small chunks, not few connections, are what makes a download slow. Twice as much takes half
again as much processor time, for memory that the system gives and takes back each time."""
_BLOCK_BYTES = 1 << 20
"""What is read from a connection at once."""

_BY_ADDRESS = "with the address's signature"
_BY_VARIABLE = "with AZURE_STORAGE_SAS_TOKEN"
_BY_CONNECTION_STRING = "with AZURE_STORAGE_CONNECTION_STRING"
_REMEDY = (
    "set AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_CONNECTION_STRING or FILM_ASSETS_AZURE_CREDENTIAL=default, or ask for read access"
)


_ARCHIVED = {"BlobArchived", "BlobBeingRehydrated"}
_DENIED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


class AzureSource(RemoteSource):
    """The blobs of one container.

    Blobs are asked for by name, not listed, so that read access to them is enough.
    """

    def __init__(self, place: ContainerPlace, files: Files, access: AzureAccess, *, chunk_bytes: int = _CHUNK_BYTES) -> None:
        """Connect to nothing yet.

        Args:
            place: The container.
            files: The blobs by short name, with the names each may have.
            access: The credentials it is read with, unless there is a signature in the place.
            chunk_bytes: How much one request asks for.

        Raises:
            SourceError: The access is not well-formed.
        """
        super().__init__(f"{place.account_url}/{place.container}/{place.prefix}".rstrip("/"), files)
        self._place, self._access, self._chunk_bytes = place, access, chunk_bytes
        self._client, self._how = _connect(place, access, chunk_bytes)
        self._expiry = _expiry(place, access, self._how)
        weakref.finalize(self, self._client.close)

    def __reduce__(self) -> tuple[Callable[..., "AzureSource"], tuple[ContainerPlace, Files, AzureAccess]]:
        return partial(AzureSource, chunk_bytes=self._chunk_bytes), (self._place, self._files, self._access)

    def _entries(self) -> Sequence[Entry]:
        """Of the container, or the folder in it; reading blobs is not enough for it, listing must be permitted."""
        prefix = self._place.prefix
        found = self._ask(lambda: list(self._client.list_blobs(name_starts_with=prefix or None)))
        return [Entry(item.name.removeprefix(prefix), item.size, item.last_modified) for item in found]

    def _look(self, blob: str, name: str) -> Listed | None:
        client = self._client.get_blob_client(self._place.prefix + name)
        try:
            return _listed(blob, name, self._ask(client.get_blob_properties))
        except ChangedError:
            return None

    def _read(self, listed: Listed, offset: int) -> Generator[tuple[int, bytes], None, None]:
        for chunk in self._read_range(listed, offset, listed.bytes):
            yield offset, chunk
            offset += len(chunk)

    def _read_range(self, listed: Listed, start: int, stop: int) -> Generator[bytes, None, None]:
        """Several chunks are asked for at a time, but handed over in order, so that what is kept never has a gap."""
        offsets = iter(range(start, stop, self._chunk_bytes))
        pool = ThreadPoolExecutor(_CONNECTIONS, "download")
        try:
            coming = deque(pool.submit(self._chunk, listed, at, stop) for at in islice(offsets, _CONNECTIONS))
            while coming:
                chunk = coming.popleft().result()
                coming.extend(pool.submit(self._chunk, listed, at, stop) for at in islice(offsets, 1))
                yield chunk
        finally:
            pool.shutdown(cancel_futures=True)

    def _chunk(self, listed: Listed, start: int, stop: int) -> bytes:
        """The bytes from ``start`` on, up to ``stop`` if one request may ask for so many."""
        client = self._client.get_blob_client(self._place.prefix + listed.file)
        try:
            return self._ask(
                lambda: client.download_blob(
                    offset=start,
                    length=min(self._chunk_bytes, stop - start),
                    etag=f'"{listed.etag}"',
                    match_condition=MatchConditions.IfNotModified,
                    decompress=False,
                    raw_response_hook=partial(_check_sent, self.label, listed),
                ).readall(),
                listed,
            )
        except (IndexError, ValueError):
            fault = wrong_range(self.label, listed)
        raise fault  # the library comes to grief over a malformed Content-Range

    def _ask(self, question: Callable[[], T], reading: Listed | None = None) -> T:
        try:
            return question()
        except (AzureError, OSError) as error:
            code, fault = _code(error), self._fault(error)
        if reading and code in _ARCHIVED:
            fault = self._archived(reading)
        raise fault  # not in the handler: the library's error may hold a secret

    def _archived(self, listed: Listed) -> SourceError:
        """What to do about a blob that can be seen, but not read."""
        client = self._client.get_blob_client(self._place.prefix + listed.file)
        if self._ask(client.get_blob_properties).archive_status:
            return SourceError(
                f"{self.label}: {listed.file} is on its way back from the archive tier, which takes up to 15 hours; "
                "run again when its access tier is another"
            )
        return SourceError(
            f"{self.label}: {listed.file} is in the archive tier, where it cannot be read; set its access tier to hot or cool "
            "(az storage blob set-tier), and run again when that is done, which takes up to 15 hours"
        )

    def _fault(self, error: Exception) -> Exception:
        status, said = getattr(error, "status_code", None), _code(error)
        if said == "ContainerNotFound":
            return SourceError(f"{self.label}: there is no such container; check the source's address")
        if said == "ResourceNotFound":  # so Azure says also of what is there but not for everybody
            return DeniedError(f"{self.label}: nothing can be read there {self._how}; check the address, {_REMEDY}")
        if said == "PublicAccessNotPermitted":
            return DeniedError(f"{self.label}: reading {self._how} is not permitted; {_REMEDY}")
        if isinstance(error, ClientAuthenticationError) and status is None:
            return SourceError(f"{self.label}: cannot sign in {self._how}; renew it, or {_REMEDY}")
        if status is None or status < HTTPStatus.BAD_REQUEST:  # no answer, or one that was cut
            return unreachable(self.label, error)
        return self._refusal(status, said)

    def _refusal(self, status: int, said: str) -> Exception:
        if status in _DENIED and self._expiry and self._expiry < datetime.now(UTC):
            return SourceError(
                f"{self.label}: the shared access signature expired on {self._expiry.astimezone(UTC):%Y-%m-%d at %H:%M} UTC "
                f"(it was tried {self._how}); put a new one in its place"
            )
        return refusal(self.label, status, said, f"it was tried {self._how}: {_REMEDY}")


def _code(error: Exception) -> str:
    """What Azure calls the error; empty where it does not say."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _check_sent(label: str, listed: Listed, response: PipelineResponse[Any, Any]) -> None:
    """Let an answer pass that has the bytes that were asked for; the library itself does not look.

    Raises:
        ChangedError: It is part of a blob of another size.
        TransientError: It is another part of the blob, or does not tell.
    """
    answer, asked = response.http_response, response.http_request.headers["x-ms-range"]
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        return
    sent = answer.headers.get("Content-Range")
    try:
        part_sent(label, listed, sent)
        if sent != f"{asked.replace('=', ' ')}/{listed.bytes}":
            raise wrong_range(label, listed)
    except (ChangedError, TransientError):
        answer.close()  # with its connection, as nobody reads its body
        raise


def _listed(blob: str, name: str, properties: BlobProperties) -> Listed:
    etag = properties.etag.strip('"')
    md5 = properties.content_settings.content_md5
    return Listed(
        blob=blob,
        file=name,
        bytes=properties.size,
        version=etag,
        etag=etag,
        last_modified=properties.last_modified,
        md5=bytes(md5).hex() if md5 else None,
    )


def _connect(place: ContainerPlace, access: AzureAccess, chunk_bytes: int) -> tuple[ContainerClient, str]:
    """The client of the container, and in words which credential it reads with."""
    options: dict[str, Any] = {
        "connection_timeout": 20,
        "read_timeout": 60,
        "retry_total": 0,  # trying again is up to us
        "max_single_get_size": chunk_bytes,
        "max_chunk_get_size": chunk_bytes,
        "connection_data_block_size": _BLOCK_BYTES,
    }

    how, credential = _credential(place, access)
    if how == _BY_CONNECTION_STRING:
        client = _by_connection_string(access.connection_string, place.container, options)
        if client.url.partition("?")[0].startswith(f"{place.account_url}/"):
            return client, how
        how = "anonymously, as AZURE_STORAGE_CONNECTION_STRING is for another account"
    return ContainerClient(place.account_url, place.container, credential=credential, **options), how


def _credential(place: ContainerPlace, access: AzureAccess) -> tuple[str, AzureSasCredential | TokenCredential | None]:
    if place.sas:
        return _BY_ADDRESS, AzureSasCredential(place.sas)
    if access.credential == "default":
        return "with the default Azure credential", _default_credential(place)
    if access.credential == "anonymous":
        return "anonymously", None
    if access.sas_token:
        return _BY_VARIABLE, AzureSasCredential(access.sas_token.removeprefix("?"))
    return _BY_CONNECTION_STRING if access.connection_string else "anonymously", None


def _expiry(place: ContainerPlace, access: AzureAccess, how: str) -> datetime | None:
    """When the signature that is used expires, if there is one and it tells."""
    by_connection_string = access.connection_string.partition("SharedAccessSignature=")[2].partition(";")[0]
    signatures = {_BY_ADDRESS: place.sas, _BY_VARIABLE: access.sas_token, _BY_CONNECTION_STRING: by_connection_string}
    told = parse_qs(signatures.get(how, "").removeprefix("?")).get("se", [""])[0]
    try:
        expiry = datetime.fromisoformat(told)
    except ValueError:
        return None
    return expiry if expiry.tzinfo else expiry.replace(tzinfo=UTC)


def _default_credential(place: ContainerPlace) -> TokenCredential:
    if not place.account_url.startswith("https:"):
        raise SourceError(f"{place.account_url}: the default Azure credential is sent by https only; use an https:// address")
    from azure.identity import DefaultAzureCredential  # slow to import, seldom needed

    return DefaultAzureCredential()


def _by_connection_string(text: str, container: str, options: dict[str, Any]) -> ContainerClient:
    try:
        return ContainerClient.from_connection_string(text, container, **options)
    except ValueError:
        fault = SourceError(
            "AZURE_STORAGE_CONNECTION_STRING is not well-formed: copy it anew from the storage account, or unset it"
        )
    raise fault
