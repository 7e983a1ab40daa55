"""Has an IRRd do for one source what its scheduler does from time to time, at once and with settings of its own.

    irrd_once.py SETTINGS SOURCE STEP...

update    takes objects.db beside the settings as what its source has now
load      takes objects.db, too, and forgets what the source had before
vrps      takes the list of VRPs that the settings name, and judges the routes of its source by it
import    as a mirror: takes its dump, or the changes since over NRTM
export    writes the dump to export_destination
publish   writes what is new for clients of NRTMv4 to nrtm4_server_local_path
keys      prints the class and the key of each object, on a line
verdicts  prints the key of each route and what was said of it, on a line
forget    deletes its objects, and the VRPs if the settings name a list of them
"""

import sys
from pathlib import Path

from irrd.conf import RPKI_IRR_PSEUDO_SOURCE, config_init, get_setting

settings, source, *steps = sys.argv[1:]
config_init(settings)

from irrd.mirroring.mirror_runners_export import SourceExportRunner  # noqa: E402
from irrd.mirroring.mirror_runners_import import ROAImportRunner, RPSLMirrorImportUpdateRunner  # noqa: E402
from irrd.mirroring.nrtm4.nrtm4_server import NRTM4Server  # noqa: E402
from irrd.rpki.validators import BulkRouteROAValidator  # noqa: E402
from irrd.scripts.load_database import load  # noqa: E402
from irrd.scripts.update_database import update  # noqa: E402
from irrd.storage.database_handler import DatabaseHandler  # noqa: E402
from irrd.storage.queries import RPSLDatabaseQuery  # noqa: E402


def keys():
    handler = DatabaseHandler(readonly=True)
    query = RPSLDatabaseQuery(column_names=["object_class", "rpsl_pk"]).sources([source])
    for row in handler.execute_query(query):
        print(row["object_class"], row["rpsl_pk"].replace("\n", "\\n"))
    handler.close()


def vrps():
    """Does what ROAImportRunner.run does, but leaves the routes of other sources alone: others use the database, too."""
    runner = ROAImportRunner()
    runner.database_handler = handler = DatabaseHandler()
    handler.disable_journaling()
    judge = BulkRouteROAValidator(handler, runner._import_roas())
    handler.update_rpki_status(*judge.validate_all_routes([source]))
    handler.commit()
    handler.close()


def verdicts():
    handler = DatabaseHandler(readonly=True)
    query = RPSLDatabaseQuery(column_names=["rpsl_pk", "rpki_status"]).sources([source])
    for row in handler.execute_query(query.object_classes(["route", "route6"])):
        print(row["rpsl_pk"], row["rpki_status"].name)
    handler.close()


def forget():
    handler = DatabaseHandler()
    handler.delete_all_rpsl_objects_with_journal(source)
    if get_setting("rpki.roa_source"):
        handler.delete_all_roa_objects()
        handler.delete_all_rpsl_objects_with_journal(RPKI_IRR_PSEUDO_SOURCE)
    handler.commit()
    handler.close()


does = {
    "update": lambda: update(source, Path(settings).with_name("objects.db")),
    "import": lambda: RPSLMirrorImportUpdateRunner(source).run(),
    "export": lambda: SourceExportRunner(source).run(),
    "publish": lambda: NRTM4Server(source).run(),
    "load": lambda: load(source, Path(settings).with_name("objects.db"), None),
    "vrps": vrps,
    "keys": keys,
    "verdicts": verdicts,
    "forget": forget,
}
for step in steps:
    if does[step]():
        sys.exit(f"{step} failed")
