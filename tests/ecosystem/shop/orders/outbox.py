from django.db import transaction
from django.utils import timezone

from orders.models import OutboxMessage


def relay(send):
    """Send what waits in the outbox, in order, with a function that takes topic, value, key and headers."""
    with transaction.atomic():
        for message in OutboxMessage.objects.select_for_update().filter(sent_at=None).order_by("pk"):
            headers = [(name, value.encode()) for name, value in message.headers.items()]
            send(message.topic, bytes(message.value), message.key.encode(), headers)
            message.sent_at = timezone.now()
            message.save(update_fields=["sent_at"])
