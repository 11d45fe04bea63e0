import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

/** What TypeScript makes of decorators of a method and of its parameters. */
export function decorate(type, method, decorator, ...parameters) {
  parameters.forEach((parameter, index) => parameter(type.prototype, method, index));
  decorator(type.prototype, method, Object.getOwnPropertyDescriptor(type.prototype, method));
}

/** An application with one gateway, as `nest new` makes it, but for its log. */
export async function listen(gateway, adapter) {
  class AppModule {}
  Module({ providers: [gateway] })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: ["error", "warn"] });
  app.useWebSocketAdapter(adapter(app));
  return app.listen(0, "127.0.0.1");
}
