"""The service description, generated from the contract's tables."""

from .contract import NAMESPACE, Struct, operations, types
from .encode import escape

_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"


def wsdl(version: str, site_url: str) -> str:
    """WSDL 1.1 (rpc/encoded) of one version; `soap:address` is the site URL, as on a real server."""
    endpoint = escape(f"{site_url}/service/{version}/soap.php")
    described = operations(version)
    return "\n".join(
        [
            '<?xml version="1.0" encoding="ISO-8859-1"?>',
            f'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="{NAMESPACE}"',
            ' xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"',
            f' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:SOAP-ENC="{_ENCODING}"',
            f' xmlns:tns="{NAMESPACE}">',
            f'<types><xsd:schema targetNamespace="{NAMESPACE}">',
            *(_import(space) for space in (_ENCODING, "http://schemas.xmlsoap.org/wsdl/")),
            *(_type(name, version) for name in types(version)),
            "</xsd:schema></types>",
            *(_messages(name, version) for name in described),
            '<portType name="sugarsoapPortType">',
            *(_port(name) for name in described),
            "</portType>",
            '<binding name="sugarsoapBinding" type="tns:sugarsoapPortType">',
            '<soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>',
            *(_binding(name, endpoint) for name in described),
            "</binding>",
            '<service name="sugarsoap"><port name="sugarsoapPort" binding="tns:sugarsoapBinding">',
            f'<soap:address location="{endpoint}"/></port></service>',
            "</definitions>",
        ]
    )


def _import(space: str) -> str:
    return f'<xsd:import namespace="{space}" schemaLocation="{space}"/>'


def _type(name: str, version: str) -> str:
    shape = types(version)[name]
    if isinstance(shape, Struct):
        members = "".join(f'<xsd:element name="{member}" type="{kind}"/>' for member, kind in shape.members)
        content = f"<xsd:all>{members}</xsd:all>"
    else:
        content = (
            '<xsd:complexContent><xsd:restriction base="SOAP-ENC:Array">'
            f'<xsd:attribute ref="SOAP-ENC:arrayType" wsdl:arrayType="{shape.item}[]"/>'
            "</xsd:restriction></xsd:complexContent>"
        )
    return f'<xsd:complexType name="{name}">{content}</xsd:complexType>'


def _messages(name: str, version: str) -> str:
    operation = operations(version)[name]
    parts = "".join(f'<part name="{part}" type="{kind}"/>' for part, kind in operation.parts)
    result = f'<part name="return" type="{operation.result}"/>' if operation.result else ""
    return f'<message name="{name}Request">{parts}</message><message name="{name}Response">{result}</message>'


def _port(name: str) -> str:
    return (
        f'<operation name="{name}"><input message="tns:{name}Request"/>'
        f'<output message="tns:{name}Response"/></operation>'
    )


def _binding(name: str, endpoint: str) -> str:
    body = f'<soap:body use="encoded" namespace="{NAMESPACE}" encodingStyle="{_ENCODING}"/>'
    return (
        f'<operation name="{name}"><soap:operation soapAction="{endpoint}/{name}" style="rpc"/>'
        f"<input>{body}</input><output>{body}</output></operation>"
    )
