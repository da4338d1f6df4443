// What a typical integration in Node does with dynamics-web-api. Prints JSON.
const [, , folder, url, login, clientId, clientSecret] = process.argv;
const { createRequire } = require('node:module');
const { DynamicsWebApi } = createRequire(`${folder}/`)('dynamics-web-api');

let tokens = 0;
async function token() {
  tokens += 1;
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope: `${url}/.default` };
  const answer = await fetch(login, { method: 'POST', body: new URLSearchParams(form) });
  return (await answer.json()).access_token;
}

const refusal = async call => {
  try {
    await call();
    return null;
  } catch (error) {
    return [error.status, error.code, error.message];
  }
};

async function work() {
  const crm = new DynamicsWebApi({ serverUrl: url, dataApi: { version: '9.2' }, onTokenRefresh: token });
  const said = {};
  said.created = await crm.create({
    collection: 'leads',
    data: { firstname: 'Zoë', lastname: "O'Neil & Söhne", emailaddress1: 'jane+tag@example.com', leadsourcecode: 7 },
  });
  said.updated = await crm.update({ collection: 'leads', key: said.created, data: { jobtitle: 'CEO' } });
  said.read = await crm.retrieve({
    collection: 'leads', key: said.created, select: ['fullname', 'jobtitle', 'leadsourcecode'],
    includeAnnotations: 'OData.Community.Display.V1.FormattedValue',
  });
  const etag = said.read['@odata.etag'];
  await crm.update({ collection: 'leads', key: said.created, ifmatch: etag, data: { jobtitle: 'CTO' } });
  // A condition that is not met is answered with false instead of an error.
  said.stale = await crm.update({ collection: 'leads', key: said.created, ifmatch: etag, data: { jobtitle: 'nobody' } });
  said.upserted = await crm.upsert({ collection: 'contacts', key: '6b29fc40-ca47-1067-b31d-00dd010662da', data: { lastname: 'Doe' } });
  said.kept = await crm.upsert({
    collection: 'contacts', key: '6b29fc40-ca47-1067-b31d-00dd010662da', ifnonematch: '*', data: { lastname: 'nobody' },
  });

  crm.startBatch();
  for (const number of [1, 2, 3, 4]) crm.create({ collection: 'contacts', data: { lastname: `Kot ${number}`, department: 'R&D' } });
  crm.retrieve({ collection: 'leads', key: said.created, select: ['jobtitle'] });
  said.batch = await crm.executeBatch();

  const query = { collection: 'contacts', select: ['lastname'], filter: "department eq 'R&D'", orderBy: ['lastname'], maxPageSize: 3 };
  const page = await crm.retrieveMultiple(query);
  said.page = [page.value.length, Boolean(page.oDataNextLink)];
  said.all = (await crm.retrieveAll(query)).value.map(row => row.lastname);
  const fetchXml =
    "<fetch count='3'><entity name='contact'><attribute name='lastname'/><filter><condition attribute='department'" +
    " operator='eq' value='R&amp;D'/></filter><order attribute='lastname'/><order attribute='contactid'/></entity></fetch>";
  said.fetched = (await crm.fetchAll({ collection: 'contacts', fetchXml, includeAnnotations: '*' })).value.map(row => row.lastname);
  said.who = (await crm.callFunction({ functionName: 'WhoAmI' })).UserId;
  said.missing = await refusal(() => crm.retrieve({ collection: 'leads', key: '00000000-0000-0000-0000-0000000000ff' }));
  said.tooLong = await refusal(() => crm.create({ collection: 'leads', data: { lastname: 'x'.repeat(51) } }));
  said.tokens = tokens;
  return said;
}

work().then(said => console.log(JSON.stringify(said)), error => {
  console.error(error);
  process.exitCode = 1;
});
