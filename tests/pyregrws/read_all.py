"""Reads objects of a Reg-RWS with pyregrws and prints what it understood, as JSON.

Standard input: {"url": ..., "key": ..., "orgs": [handle, ...], "pocs": [...], "customers": [...], "nets": [...]}.
Standard output: for each kind the objects by handle, for each net what look-ups of its range and of its parent found,
and under "refused" what pyregrws would not read, with the fields it complained about.
"""

import json
import sys

from pydantic import ValidationError
from regrws.api import Api
from regrws.models import Error

# Odd payloads may give the three-letter code alone.
CODE2 = {"USA": "US", "CAN": "CA", "BRB": "BB", "DEU": "DE"}


def lines(numbered):
    return [line.line for line in numbered or [] if line.line]


def address(of):
    country = of.iso3166_1
    return {
        "street": lines(of.street_address),
        "city": of.city,
        "state_province": of.iso3166_2 or None,
        "postal_code": of.postal_code or None,
        "country": country.code2 or CODE2[country.code3],
    }


def org(of):
    return {
        "name": of.org_name,
        "dba_name": of.dba_name or None,
        "url": str(of.org_url).rstrip("/") if of.org_url else None,
        "address": address(of),
        "registered": bool(of.registration_date),
        "comment": lines(of.comment),
        "pocs": sorted(f"{link.function} {link.handle}" for link in of.poc_links),
    }


def poc(of):
    return {
        "contact_type": of.contact_type,
        "names": [name or None for name in (of.company_name, of.first_name, of.middle_name, of.last_name)],
        "emails": of.emails,
        "phones": [[phone.type.code, phone.number, phone.extension or None] for phone in of.phones],
        "address": address(of),
        "registered": bool(of.registration_date),
        "comment": lines(of.comment),
    }


def customer(of):
    return {
        "name": of.customer_name,
        "parent_org": of.parent_org_handle or None,
        "private": of.private_customer,
        "address": address(of),
        "registered": bool(of.registration_date),
        "comment": lines(of.comment),
    }


def net(of):
    return {
        "name": of.net_name,
        "version": int(of.version),
        "types": sorted({block.type for block in of.net_blocks}),
        "blocks": [f"{block.start_address}-{block.end_address}/{block.cidr_length}" for block in of.net_blocks],
        "org": of.org_handle or None,
        "customer": of.customer_handle or None,
        "parent": of.parent_net_handle or None,
        "registered": bool(of.registration_date),
        "comment": lines(of.comment),
    }


def found_by_range(find, of):
    found = find(of.net_blocks[0].start_address, of.net_blocks[-1].end_address)
    return found.code if isinstance(found, Error) else found.handle


def main():
    asked = json.load(sys.stdin)
    api = Api(base_url=asked["url"], api_key=asked["key"])
    told = {"found_by_range": {}, "parents_by_range": {}, "refused": {}}
    kinds = {"orgs": (api.org, org), "pocs": (api.poc, poc), "customers": (api.customer, customer), "nets": (api.net, net)}
    for kind, (manager, summary) in kinds.items():
        told[kind] = {}
        for handle in asked[kind]:
            try:
                instance = manager.from_handle(handle)
            except ValidationError as error:
                told["refused"][handle] = sorted({str(complaint["loc"][-1]) for complaint in error.errors()})
                continue
            if isinstance(instance, Error):
                told["refused"][handle] = [instance.code]
                continue
            assert instance.handle == handle, (instance.handle, handle)
            told[kind][handle] = summary(instance)
            if kind == "nets":
                told["found_by_range"][handle] = found_by_range(api.net.find_net, instance)
                told["parents_by_range"][handle] = found_by_range(api.net.find_parent, instance)
    json.dump(told, sys.stdout)


main()
