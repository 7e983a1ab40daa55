"""Writes to a Reg-RWS with pyregrws and prints what it understood of the answers, as JSON.

Standard input: {"url": ..., "key": ..., "parent": handle of an allocation, "block": [first, last, length],
"org": handle, "crowded": handle of a net that has others below it}.
Standard output: what came back of each step; an error is its code and the names of its components, and what pyregrws
would not read is the fields that it complained about.
"""

import json
import sys
from xml.etree import ElementTree

import requests
from pydantic import ValidationError
from regrws.api import Api
from regrws.models import Customer, Error, Net
from regrws.models.nested import Iso31661, MultiLineElement
from regrws.models.net import NetBlock
from regrws.models.tickets import Ticket

CORE = "{http://www.arin.net/regrws/core/v1}"


def told(of):
    if isinstance(of, dict):
        return of
    if isinstance(of, Error):
        return {"error": of.code, "components": [component.name for component in of.components]}
    if isinstance(of, Customer):
        return {"customer": of.handle, "name": of.customer_name, "street": [line.line for line in of.street_address]}
    net = of if isinstance(of, Net) else of.net
    return {
        "net": net.handle,
        "name": net.net_name,
        "types": [block.type for block in net.net_blocks],
        "customer": net.customer_handle,
        "org": net.org_handle,
    }


def tried(step):
    try:
        return told(step())
    except ValidationError as error:
        return {"refused": sorted({str(complaint["loc"][-1]) for complaint in error.errors()})}


def closed_ticket(document):
    ticket = Ticket.from_xml(document)
    assert ticket.created_date and ticket.closed_date
    messages = [[said.subject, [file.filename for file in said.attachments]] for said in ticket.messages]
    return {"ticket": ticket.web_ticket_type, "resolution": ticket.web_ticket_resolution, "messages": messages}


def tickets(asked):
    """Every ticket with its messages; pyregrws has no calls for them."""

    def get(path):
        answer = requests.get(f"{asked['url']}/rest/{path}", params={"apikey": asked["key"]}, timeout=10)
        answer.raise_for_status()
        return answer.content

    summaries = ElementTree.fromstring(get("ticket/summary;ticketType=ANY;ticketStatus=ANY"))
    for number in summaries.iter(f"{CORE}ticketNo"):
        document = get(f"ticket/{number.text}")
        yield tried(lambda: closed_ticket(document))


def net(asked, kind, **recipient):
    first, last, length = asked["block"]
    block = NetBlock(type=kind, start_address=first, end_address=last, cidr_length=length)
    return Net(version=4, net_name="Sample-Net", net_blocks=[block], parent_net_handle=asked["parent"], **recipient)


def main():
    asked = json.load(sys.stdin)
    api = Api(base_url=asked["url"], api_key=asked["key"])
    parent = api.net.from_handle(asked["parent"])
    customer = api.customer.create_for_net(
        parent,
        customer_name="Sample Orchard",
        iso3166_1=Iso31661(code2="US"),
        iso3166_2="VA",
        postal_code="20190",
        city="Reston",
        street_address=[MultiLineElement(number=0, line="5 Sample Lane")],
    )
    steps = {"create customer": told(customer)}
    steps["reassign"] = tried(lambda: parent.reassign(net(asked, "S", customer_handle=customer.handle)))
    steps["reassign again"] = tried(lambda: parent.reassign(net(asked, "S", org_handle=asked["org"])))
    held = api.net.from_handle(steps["reassign"]["net"])
    held.net_name = "OTHER"
    steps["modify net"] = tried(held.save)
    customer.street_address = [MultiLineElement(number=0, line="6 Sample Lane")]
    steps["modify customer"] = tried(customer.save)
    steps["delete customer too early"] = tried(customer.delete)
    steps["remove"] = tried(held.remove)
    steps["delete customer"] = tried(customer.delete)
    steps["reallocate"] = tried(lambda: parent.reallocate(net(asked, "A", org_handle=asked["org"])))
    steps["delete net"] = tried(api.net.from_handle(steps["reallocate"]["net"]).delete)
    steps["delete a net with others below it"] = tried(api.net.from_handle(asked["crowded"]).delete)
    url = f"{asked['url']}/rest/report/reassignment/{asked['parent']}"
    requests.get(url, params={"apikey": asked["key"]}, timeout=10).raise_for_status()
    steps["tickets"] = list(tickets(asked))
    json.dump(steps, sys.stdout)


main()
