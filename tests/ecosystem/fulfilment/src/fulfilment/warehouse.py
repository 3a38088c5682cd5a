"""What was asked for already, by order: an order that arrives twice is shipped once."""

from acme_orders.messages import ShipmentRequested


class Warehouse:
    def __init__(self):
        self.shipments: dict[str, ShipmentRequested] = {}

    def reserve(self, order, cause: str) -> ShipmentRequested | None:
        """Return the shipment for an order, or None if there is one already."""
        if order.order_id in self.shipments:
            return None
        note = getattr(order, "note", None)  # orders of v1 have none
        shipment = ShipmentRequested(
            shipment_id=f"s-{order.order_id}",
            order_id=order.order_id,
            caused_by=cause,
            items=sum(line.quantity for line in order.lines),
            city=order.address.city,
            country=order.address.country,
            **({"remark": note} if note else {}),
        )
        self.shipments[order.order_id] = shipment
        return shipment
