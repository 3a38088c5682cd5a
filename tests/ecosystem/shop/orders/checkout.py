from acme_orders import encode
from acme_orders.messages import OrderPlaced
from django.db import transaction

from orders.models import Order, OrderLine, OutboxMessage


@transaction.atomic
def place_order(number, customer, lines, city, country, note=None, *, has_note=True):
    """Store an order, and the message about it in the same transaction."""
    total = sum(quantity * cents for _, quantity, cents in lines)
    order = Order.objects.create(
        number=number, customer=customer, total_cents=total, city=city, country=country, note=note
    )
    OrderLine.objects.bulk_create(
        OrderLine(order=order, sku=sku, quantity=quantity, cents=cents) for sku, quantity, cents in lines
    )
    message = OrderPlaced.model_validate({
        "order_id": order.number,
        "customer_id": order.customer,
        "lines": [{"sku": each.sku, "quantity": each.quantity, "cents": each.cents} for each in order.lines.order_by("pk")],
        "total_cents": order.total_cents,
        "address": {"city": order.city, "country": order.country},
        **({"note": order.note} if has_note else {}),
    })  # fmt: skip
    wire = encode(message, source="/shop")
    OutboxMessage.objects.create(
        topic="orders",
        key=wire.key.decode(),
        headers={name: value.decode() for name, value in wire.headers},
        value=bytes(wire),
    )
    return order
