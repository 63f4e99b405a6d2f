"""A client of Tandem: numpy in, numpy out.

    with tandem_client.Client("127.0.0.1:8001") as client:
        result = client.infer("digits", {"features": pixels})
        print(result["probabilities"], result.variant, result.version)

Client is of the public port and AdminClient of the admin port; AsyncClient and AsyncAdminClient are the same for
asyncio.
"""
from tandem_client import admin
from tandem_client._admin_client import AdminClient
from tandem_client._async_admin_client import AsyncAdminClient
from tandem_client._async_client import AsyncClient
from tandem_client._client import Client
from tandem_client._connection import Tls
from tandem_client._errors import (Aborted, Cancelled, DeadlineExceeded, FailedPrecondition, InvalidArgument, NotFound,
                                   PermissionDenied, ResourceExhausted, TandemError, Unauthenticated, Unavailable,
                                   Unimplemented)
from tandem_client._inference import (IndexEntry, InferRequest, InferResult, ModelMetadata, ServerMetadata,
                                      StreamAnswer, TensorMetadata)
from tandem_client._retry import NO_RETRIES, RetryPolicy
from tandem_client._tensors import BFloat16

__all__ = [
    "Aborted", "AdminClient", "AsyncAdminClient", "AsyncClient", "BFloat16", "Cancelled", "Client",
    "DeadlineExceeded", "FailedPrecondition", "IndexEntry", "InferRequest", "InferResult", "InvalidArgument",
    "ModelMetadata", "NO_RETRIES", "NotFound", "PermissionDenied", "ResourceExhausted", "RetryPolicy",
    "ServerMetadata", "StreamAnswer", "TandemError", "TensorMetadata", "Tls", "Unauthenticated", "Unavailable",
    "Unimplemented", "admin",
]
