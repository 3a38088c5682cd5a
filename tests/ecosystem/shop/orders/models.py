from django.db import models


class Order(models.Model):
    number = models.CharField(max_length=80, unique=True)
    customer = models.CharField(max_length=80)
    total_cents = models.BigIntegerField()
    city = models.CharField(max_length=80)
    country = models.CharField(max_length=2)
    note = models.CharField(max_length=200, null=True)  # noqa: DJ001 - no note and an empty one are different


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    sku = models.CharField(max_length=80)
    quantity = models.IntegerField()
    cents = models.IntegerField()


class OutboxMessage(models.Model):
    """A message that was committed together with what it tells of, and waits for the relay."""

    topic = models.CharField(max_length=120)
    key = models.CharField(max_length=120)
    headers = models.JSONField()
    value = models.BinaryField()
    sent_at = models.DateTimeField(null=True)
