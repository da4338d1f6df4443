"""What every CRM's connector must do, as tests to inherit: see `contract`. For tests alone, never imported by
the product.

A connector's suite is a harness around its simulator (`crm.CrmUnderTest`) and a class for each protocol:

    class TestSoap(ConnectorContract):
        def new_crm(self) -> CrmUnderTest: ...
"""

import pkgutil

import pytest

pytest.register_assert_rewrite(*(module.name for module in pkgutil.iter_modules(__path__, f"{__name__}.")))
