"""Gateways: where deliveries go. Another one is one module with a class that has `send`, and one row in `GATEWAYS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ._http import Endpoint
from ._protocol import Gateway, GatewayError, Trouble
from .push import PushGateway
from .sms import SmsGateway

__all__ = ["GATEWAYS", "Endpoint", "Gateway", "GatewayError", "PushGateway", "SmsGateway", "Trouble"]

GATEWAYS: Mapping[str, Callable[[Endpoint], Gateway]] = {"push": PushGateway, "sms": SmsGateway}
"""The gateway for each `kind` of delivery."""
