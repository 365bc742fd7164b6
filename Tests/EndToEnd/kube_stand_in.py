"""A stand-in for the kube-apiserver in front of the gateway: the few core resources that kopf insists on, everything else passed on.

Run as a program: kube_stand_in.py PORT GATEWAY_URL PKI_DIR
"""

import asyncio
import ssl
import sys

from aiohttp import ClientConnectionError, ClientPayloadError, ClientSession, ClientTimeout, TCPConnector, web

NAMESPACES = [{"metadata": {"name": "default", "uid": "1", "resourceVersion": "1"}}]


async def core_versions(_):
    return web.json_response({"kind": "APIVersions", "versions": ["v1"]})


async def core_resources(_):
    verbs = ["create", "get", "list", "watch", "patch"]
    return web.json_response({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": [
        {"name": "namespaces", "singularName": "namespace", "namespaced": False, "kind": "Namespace", "verbs": verbs},
        {"name": "events", "singularName": "event", "namespaced": True, "kind": "Event", "verbs": verbs}]})


async def namespaces(request):
    if request.query.get("watch"):
        await asyncio.sleep(3600)
    return web.json_response({"kind": "NamespaceList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": NAMESPACES})


async def relay(request):
    app = request.app
    headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection", "accept-encoding")}
    async with app["client"].request(
            request.method, app["gateway"] + request.path_qs, headers=headers, data=await request.read() or None) as upstream:
        kept = {name: value for name, value in upstream.headers.items() if name.lower() not in ("transfer-encoding", "content-length", "connection")}
        answer = web.StreamResponse(status=upstream.status, headers=kept)
        await answer.prepare(request)
        async for chunk in upstream.content.iter_any():
            await answer.write(chunk)
        await answer.write_eof()
        return answer


async def pass_on(request):
    """A gateway that is away is a 503, as from a kube-apiserver; one that dies in the middle of an answer ends the connection."""
    try:
        return await relay(request)
    except ClientConnectionError:
        return web.json_response({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "ServiceUnavailable", "code": 503}, status=503)
    except (ClientPayloadError, ConnectionResetError):
        request.transport.close()
        raise


async def start(app):
    tls = ssl.create_default_context(cafile=app["pki"] + "/ca.crt")
    tls.load_cert_chain(app["pki"] + "/admin.crt", app["pki"] + "/admin.key")
    app["client"] = ClientSession(connector=TCPConnector(ssl=tls, limit=0), timeout=ClientTimeout(total=None))


def main():
    app = web.Application()
    app["gateway"], app["pki"] = sys.argv[2], sys.argv[3]
    app.router.add_get("/api", core_versions)
    app.router.add_get("/api/v1", core_resources)
    app.router.add_get("/api/v1/namespaces", namespaces)
    app.router.add_route("*", "/{rest:.*}", pass_on)
    app.on_startup.append(start)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
