using System.Text.Json;
using Grpc.Core;

namespace Store.Server;

/// <summary>gRPC's status as the gateway tells it.</summary>
static class GatewayStatus
{
    /// <summary>grpc-gateway's table.</summary>
    public static int HttpCode(StatusCode code) => code switch
    {
        StatusCode.OK => 200,
        StatusCode.Cancelled => 499,
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.OutOfRange => 400,
        StatusCode.Unauthenticated => 401,
        StatusCode.PermissionDenied => 403,
        StatusCode.NotFound => 404,
        StatusCode.AlreadyExists or StatusCode.Aborted => 409,
        StatusCode.ResourceExhausted => 429,
        StatusCode.Unimplemented => 501,
        StatusCode.Unavailable => 503,
        StatusCode.DeadlineExceeded => 504,
        _ => 500,
    };

    public static void Write(Utf8JsonWriter json, Status status)
    {
        json.WriteStartObject();
        json.WriteNumber("code", (int)status.StatusCode);
        json.WriteString("message", status.Detail);
        json.WriteEndObject();
    }
}
