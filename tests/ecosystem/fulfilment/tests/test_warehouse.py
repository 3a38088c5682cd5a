from types import SimpleNamespace

from fulfilment.warehouse import Warehouse


def test_an_order_is_shipped_once():
    address = SimpleNamespace(city="Berlin", country="DE")
    order = SimpleNamespace(order_id="o", lines=[SimpleNamespace(quantity=2)], address=address, note=None)
    warehouse = Warehouse()
    assert warehouse.reserve(order, "e").items == 2
    assert warehouse.reserve(order, "e") is None
