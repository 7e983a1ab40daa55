"""Reads documents that are sent to a Reg-RWS with pyregrws and prints what it understood, as JSON.

Standard input: [document, ...], each a `net` or a `customer`. Standard output: for each what pyregrws reads in it.
"""

import json
import sys
from xml.etree import ElementTree

from regrws.models import Customer, Net

NAMESPACE = "{http://www.arin.net/regrws/core/v1}"


def understood(model, element):
    read = model.from_xml(ElementTree.tostring(element))
    return {name: value for name, value in json.loads(read.model_dump_json()).items() if value is not None}


def read(document):
    root = ElementTree.fromstring(document.encode())
    if root.tag == NAMESPACE + "customer":
        return understood(Customer, root)
    customer = root.find(NAMESPACE + "customer")
    if customer is None:
        return understood(Net, root)
    # pyregrws takes the customer of a net by handle only.
    root.remove(customer)
    ElementTree.SubElement(root, NAMESPACE + "customerHandle").text = "C0"
    return {**understood(Net, root), "customer": understood(Customer, customer)}


json.dump([read(document) for document in json.load(sys.stdin)], sys.stdout)
