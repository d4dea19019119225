// Reads and writes a simulated org with a client that its authors never saw, and tells what it met.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.JSFORCE_DIRECTORY}/`);
const jsforce = require("jsforce");
const { baseUrl, assertion } = JSON.parse(readFileSync(0, "utf8"));

const connection = new jsforce.Connection({ oauth2: { loginUrl: baseUrl }, version: "66.0" });
const user = await connection.authorize({
  grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
  assertion,
});
const all = await connection.query("SELECT Id, LastName FROM Contact ORDER BY Id", {
  autoFetch: true,
  maxFetch: 10_000,
  headers: { "Sforce-Query-Options": "batchSize=200" },
});
const contact = all.records[0].Id;
const rows = connection.sobject("Permission__c");
const row = (channel) => ({
  Ledger_Key__c: `${contact}:jsforce:${channel}`,
  Contact__c: contact,
  Purpose__c: "jsforce",
  Channel__c: channel,
});
const created = await rows.create(row("EMAIL"));
const changed = await rows.update({ Id: created.id, Consent_Status__c: "Asked" });
const read = await rows.retrieve(created.id);
const many = await rows.upsert([row("EMAIL"), row("SMS"), row("PIGEON")], "Ledger_Key__c");
const removed = await rows.destroy(created.id);
const kept = await connection
  .sobject("Permission__c")
  .find({ Purpose__c: "jsforce" }, ["Id", "Channel__c", "Contact__r.LastName"]);
const described = await connection.sobject("Contact").describe();
const refusal = await connection.query("SELECT Nope__c FROM Contact").catch((error) => error);

process.stdout.write(
  JSON.stringify({
    organization: user.organizationId,
    contacts: new Set(all.records.map((each) => each.Id)).size,
    created: created.success,
    changed: changed.success,
    status: read.Consent_Status__c,
    many: many.map((each) => [each.success, each.created ?? null]),
    pigeon: many[2].errors[0].statusCode,
    removed: removed.success,
    kept: kept.map((each) => [each.Channel__c, each.Contact__r.LastName]),
    lastName: all.records[0].LastName,
    fields: described.fields.map((each) => each.name),
    refusal: [refusal.name, refusal.errorCode],
    usage: connection.limitInfo.apiUsage,
  }),
);
