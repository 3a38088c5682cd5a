"""Gateways for deliveries. To add one, write a module with a class that has `send`, and add a row to `GATEWAYS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ._credential import Credential
from ._http import Endpoint
from ._protocol import FailureKind, Gateway, GatewayError
from .push import PushGateway
from .sms import SmsGateway

__all__ = ["GATEWAYS", "Credential", "Endpoint", "FailureKind", "Gateway", "GatewayError", "PushGateway", "SmsGateway"]

GATEWAYS: Mapping[str, Callable[[Endpoint], Gateway]] = {"push": PushGateway, "sms": SmsGateway}
"""The gateway for each `kind` of delivery."""
