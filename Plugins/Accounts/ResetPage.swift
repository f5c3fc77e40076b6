import Crypto
import Foundation
import HTTPTypes
import SparkKit

/// The page of a password reset link: one field, posted to `/api/v1/auth/reset/confirm` with the token from the page's URL.
enum ResetPage {
    static let path = "/reset"

    static var route: Route {
        let (bytes, policy) = (Array(document.utf8), policy)
        return Route(
            .get, path, "The page on which a link sets a new password", access: .open, rateLimit: .read,
            query: [.text("token", maximum: 128, "From the link.")]
        ) { _ in
            var reply = Reply(json: bytes)
            reply.headers[.contentType] = "text/html; charset=utf-8"
            reply.headers[.cacheControl] = "no-store"
            if let name = HTTPField.Name("Content-Security-Policy") { reply.headers[name] = policy }
            return reply
        }
    }

    /// A content security policy that allows only the page's own script, by its hash.
    private static var policy: String {
        func source(_ text: String) -> String {
            "'sha256-\(Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString())'"
        }
        return """
            default-src 'none'; script-src \(source(script)); style-src \(source(style)); connect-src 'self'; \
            base-uri 'none'; form-action 'none'; frame-ancestors 'none'
            """
    }

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;max-width:22rem;margin:4rem auto;padding:0 1rem}
        input,button{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;margin:.25rem 0 1rem}
        """

    private static let script = """
        const form=document.querySelector("form"),out=document.querySelector("output");
        form.addEventListener("submit",async event=>{
        event.preventDefault();
        const token=new URLSearchParams(location.search).get("token")||"";
        try{
        const answer=await fetch("/api/v1/auth/reset/confirm",{method:"POST",headers:{"Content-Type":"application/json"},
        body:JSON.stringify({token,password:form.password.value})});
        if(answer.status===204){form.hidden=true;out.textContent="The new password is set. Sign in with it.";}
        else{out.textContent=(await answer.json()).detail;}
        }catch{out.textContent="The server cannot be reached; try again.";}
        });
        """

    private static let document = """
        <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>New password</title><style>\(style)</style></head><body><h1>New password</h1>
        <form><label>At least 8 characters
        <input name="password" type="password" autocomplete="new-password" minlength="8" maxlength="128" required></label>
        <button>Set password</button></form><output></output><script>\(script)</script></body></html>

        """
}
