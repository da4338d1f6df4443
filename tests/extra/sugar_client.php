<?php
// What a typical integration does with PHP's own SoapClient: sign in, create, read back. Prints JSON.
// Without the WSDL, whose imports would be fetched from the network; parameters go by position anyway.
[$script, $endpoint, $email] = $argv;
$client = new SoapClient(null, ['location' => $endpoint, 'uri' => 'http://www.sugarcrm.com/sugarcrm']);
$pairs = fn(array $values) => array_map(
    fn($name, $value) => (object) ['name' => $name, 'value' => $value], array_keys($values), $values
);
$auth = (object) ['user_name' => 'admin', 'password' => md5('admin')];
$session = $client->login($auth, 'extra', [])->id;
$id = $client->set_entry($session, 'Leads', $pairs([
    'first_name' => 'Zoë', 'last_name' => "O'Neil & Söhne", 'email1' => $email, 'status' => 'New',
]))->id;
$fields = ['id', 'last_name', 'email1', 'status'];
$found = $client->get_entry_list($session, 'Leads', "leads.id = '$id'", '', 0, $fields, [], 5, 0, false);
$values = [];
foreach ($found->entry_list[0]->name_value_list as $pair) {
    $values[$pair->name] = $pair->value;
}
try {
    $client->get_entry_list('no-such-session', 'Leads', '', '', 0, $fields, [], 1, 0, false);
    $fault = null;
} catch (SoapFault $error) {
    $fault = [$error->faultcode, $error->faultstring];
}
echo json_encode(['id' => $id, 'count' => $found->result_count, 'values' => $values, 'fault' => $fault]);
