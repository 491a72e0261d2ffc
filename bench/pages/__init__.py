"""How long the pages take, how heavy they are and what they cost to serve: Waybill's, Flower's, rq-dashboard's."""
