/**
 * What nearly every start needs, by what leads to it. The bundle puts this in front of all that it loads late, so that it is
 * one chunk: split by who needs what it would be thirty, and each costs a start half a millisecond.
 */
import "commander";
import "./app.ts";
import "./commands/hosts.ts";
import "./commands/run.ts";
import "./commands/selecting.ts";
import "./commands/table.ts";
import "./instances/inventory.ts";
