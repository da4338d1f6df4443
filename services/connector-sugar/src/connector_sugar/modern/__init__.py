"""SugarCRM's modern REST, v10 to v11_x."""
